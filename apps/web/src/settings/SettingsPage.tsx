import { type Notebook, useCairn, useWorkspaces } from "../notebook/hooks.ts";
import { Page, Section } from "../shell/Page.tsx";
import { setTheme, type ThemeChoice, useTheme } from "../shell/theme.ts";
import { BackupSection } from "./BackupSection.tsx";
import { DevicesSection } from "./DevicesSection.tsx";
import { NotebookSection, RemoveSection } from "./NotebookSection.tsx";
import { RecoverySection } from "./RecoverySection.tsx";
import { SignOutSection } from "./SignOutSection.tsx";
import { StorageSection } from "./StorageSection.tsx";
import { VersionsSection } from "./VersionsSection.tsx";

export const SettingsPage = () => {
  const state = useCairn();
  const workspaces = useWorkspaces();
  const ready = state.status === "ready" ? state : undefined;
  const info = workspaces.find((workspace) => workspace.id === ready?.workspace.id);
  return (
    <Page title="Settings">
      {ready && info ? (
        <>
          <NotebookSection key={info.id} notebook={ready.workspace} info={info} />
          <DevicesSection key={`${info.id} devices`} notebook={ready.workspace} />
          {info.role === "owner" ? <VersionsSection notebook={ready.workspace} info={info} /> : null}
          <BackupSection notebook={ready.workspace} info={info} />
          <RecoverySection cairn={ready.cairn} />
          <StorageSection cairn={ready.cairn} />
        </>
      ) : null}
      <AppearanceSection />
      {ready && info ? (
        <RemoveSection notebook={ready.workspace} info={info} cairn={ready.cairn} select={ready.select} />
      ) : null}
      {ready ? <SignOutSection cairn={ready.cairn} /> : null}
      <AboutSection notebook={ready?.workspace} />
    </Page>
  );
};

const themes: ReadonlyArray<readonly [ThemeChoice, string]> = [
  ["system", "Like the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

const AppearanceSection = () => {
  const theme = useTheme();
  return (
    <Section title="Appearance">
      <fieldset className="flex flex-wrap gap-2">
        <legend className="sr-only">Theme</legend>
        {themes.map(([value, label]) => (
          <label
            key={value}
            className="flex min-h-10 items-center rounded-lg border border-line-strong px-4 text-[0.9375rem] font-medium has-checked:border-moss has-checked:bg-moss-soft has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-moss pointer-coarse:min-h-11"
          >
            <input
              type="radio"
              name="theme"
              className="sr-only"
              checked={theme === value}
              onChange={() => setTheme(value)}
            />
            {label}
          </label>
        ))}
      </fieldset>
    </Section>
  );
};

const AboutSection = ({ notebook }: { notebook: Notebook | undefined }) => (
  <Section
    title="About Cairn"
    description="Your notes live on your devices. What leaves them is sealed first: a server sees ids, sizes and times, never words, names or files."
  >
    <p className="text-sm text-ink-soft">
      Version {__CAIRN_VERSION__}
      {notebook ? <>, notebook {notebook.id.slice(0, 8)}</> : null}. MIT licence.
    </p>
  </Section>
);
