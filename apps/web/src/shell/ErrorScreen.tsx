import { Button } from "../ui/Button.tsx";
import { CairnMark } from "../ui/CairnMark.tsx";

/** Shown in place of a page that failed. The notes are in the device's store, which no failed page touches. */
export const ErrorScreen = ({ error }: { error: unknown }) => {
  const message = error instanceof Error ? error.message : String(error);
  // A part of the app that cannot be fetched: offline without the service worker, or a build that is gone.
  const missing = /dynamically imported module|Importing a module script failed|preload/i.test(message);
  return (
    <main className="mx-auto flex min-h-full max-w-xl flex-col justify-center px-6 py-16" role="alert">
      <CairnMark className="size-12 text-line-strong" />
      <h1 className="mt-5 font-serif text-2xl font-semibold">
        {missing ? "A part of the app could not be loaded" : "This page stumbled"}
      </h1>
      <p className="mt-2 text-ink-soft">
        {missing
          ? "You may be offline, or a new version has replaced this one. Your notes are safe on this device."
          : "Your notes are safe on this device. Loading the page again usually helps."}
      </p>
      <div className="mt-5">
        <Button look="primary" onClick={() => location.reload()}>
          Load again
        </Button>
      </div>
      {missing ? null : (
        <details className="mt-8 text-sm text-ink-soft">
          <summary className="font-medium">What happened</summary>
          <pre className="mt-2 rounded-lg border border-line bg-stone p-3 whitespace-pre-wrap">{message}</pre>
        </details>
      )}
    </main>
  );
};
