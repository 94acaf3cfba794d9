/// <reference types="vite/client" />

/** The version of `apps/web/package.json`, put in by the build. */
declare const __CAIRN_VERSION__: string;
