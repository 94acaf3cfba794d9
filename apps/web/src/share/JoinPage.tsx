import type { LinkDetails, LinkPreview } from "@cairn/client";
import { Link, useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { joinLinkEvent, takeJoinSecret } from "../boot/handoff.ts";
import { explain, explainCode, type Explanation } from "../notebook/explain.ts";
import { useCairn, useWorkspaces } from "../notebook/hooks.ts";
import { notebookName } from "../notebook/notebook-name.ts";
import { Button, buttonClass } from "../ui/Button.tsx";
import { CairnMark } from "../ui/CairnMark.tsx";
import { Field } from "../ui/Field.tsx";
import { notify } from "../ui/notices.ts";

/**
 * The link that is being joined. In memory alone, and outside of the component, because React may mount a page twice;
 * cleared as soon as the person is in. A reload forgets it: then the page asks for the link again.
 */
let pendingLink: string | undefined;

const fromSecret = (secret: string): string => `${location.origin}/join#${secret}`;

/** Opens a share link: says what joining means, asks, joins. */
export const JoinPage = () => {
  const [link, setLink] = useState(() => {
    const secret = takeJoinSecret();
    if (secret !== undefined) pendingLink = fromSecret(secret);
    return pendingLink;
  });
  useEffect(() => {
    const onLink = (): void => {
      const secret = takeJoinSecret();
      if (secret === undefined) return;
      pendingLink = fromSecret(secret);
      setLink(pendingLink);
    };
    addEventListener(joinLinkEvent, onLink);
    return () => removeEventListener(joinLinkEvent, onLink);
  }, []);
  useEffect(() => {
    document.title = "Join a notebook - Cairn";
    return () => {
      document.title = "Cairn";
    };
  }, []);
  const use = (next: string | undefined): void => {
    pendingLink = next;
    setLink(next);
  };
  return (
    <main className="safe-top safe-bottom mx-auto flex min-h-full w-full max-w-lg flex-col justify-center px-5 py-12">
      <CairnMark className="size-12 text-moss" />
      {link === undefined ? (
        <PasteLink onLink={use} />
      ) : (
        <JoinLink key={link} link={link} onDone={() => use(undefined)} />
      )}
    </main>
  );
};

const PasteLink = ({ onLink }: { onLink: (link: string) => void }) => {
  const [text, setText] = useState("");
  return (
    <>
      <h1 className="mt-5 font-serif text-[1.75rem] leading-tight font-semibold tracking-tight">Join a notebook</h1>
      <p className="mt-2 text-ink-soft">
        Open the link that somebody sent you, or paste it here. After a reload of this page the link has to be opened
        again: its secret is kept nowhere.
      </p>
      <form
        className="mt-6 space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") onLink(text.trim());
        }}
      >
        <Field
          label="Link"
          value={text}
          placeholder="https://…/join#…"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          inputMode="url"
          onChange={(event) => setText(event.target.value)}
        />
        <div className="flex flex-wrap gap-2">
          <Button look="primary" type="submit" disabled={text.trim() === ""}>
            Look at it
          </Button>
          <Link to="/" className={buttonClass("quiet")}>
            To your notes
          </Link>
        </div>
      </form>
    </>
  );
};

const JoinLink = ({ link, onDone }: { link: string; onDone: () => void }) => {
  const state = useCairn();
  const workspaces = useWorkspaces();
  const navigate = useNavigate();
  const [preview, setPreview] = useState<LinkPreview | undefined>(undefined);
  const [asked, setAsked] = useState<LinkDetails | "asking" | "not told">("asking");
  const [failure, setFailure] = useState<Explanation | undefined>(undefined);
  const [joining, setJoining] = useState(false);
  const cairn = state.status === "ready" ? state.cairn : undefined;

  useEffect(() => {
    if (!cairn) return undefined;
    let current = true;
    cairn.inspectLink(link).then(
      (found) => current && setPreview(found),
      (error: unknown) => current && setFailure(explain(error)),
    );
    // Only for what is shown: a server that is out of reach, or too old to tell, is no reason not to offer joining.
    cairn.describeLink(link).then(
      (found) => current && setAsked(found),
      () => current && setAsked("not told"),
    );
    return () => {
      current = false;
    };
  }, [cairn, link]);

  const join = async (): Promise<void> => {
    if (state.status !== "ready" || !preview) return;
    setJoining(true);
    setFailure(undefined);
    try {
      if (preview.alreadyJoined) await state.select(preview.workspace);
      else {
        await state.select(await state.cairn.join(link));
        notify({ title: "You are in", detail: "The notes arrive as they are fetched and opened on this device." });
      }
      onDone();
      await navigate({ to: "/", replace: true });
    } catch (error) {
      setFailure(explain(error));
    } finally {
      setJoining(false);
    }
  };

  const here = preview?.alreadyJoined ? workspaces.find(({ id }) => id === preview.workspace) : undefined;
  const details = typeof asked === "string" ? undefined : asked;
  const name = here === undefined ? (details?.name.trim() ?? "") : notebookName(here);
  const closed = details === undefined || preview?.alreadyJoined ? undefined : closedLinks[details.status];
  const engineFailure = state.status === "failed" ? explain(state.error) : undefined;
  const problem = failure ?? engineFailure ?? (closed && explainCode(closed, ""));
  return (
    <>
      <h1 className="mt-5 font-serif text-[1.75rem] leading-tight font-semibold tracking-tight">
        {preview?.alreadyJoined ? "You are already in" : "You are invited to a notebook"}
        {name === "" ? null : <span className="mt-1 block break-words text-moss">{name}</span>}
      </h1>
      {preview ? (
        <>
          <p className="mt-2 text-ink-soft">
            {preview.alreadyJoined
              ? "This device has the notebook that the link leads to."
              : "Joining copies the notebook to this device and keeps both in step, also after times without a network."}
          </p>
          <dl className="mt-5 divide-y divide-line rounded-xl border border-line bg-raised text-[0.9375rem]">
            <div className="grid grid-cols-[7.5rem_minmax(0,1fr)] gap-3 px-4 py-2.5">
              <dt className="text-ink-soft">Notebook</dt>
              <dd className="min-w-0 break-words">
                {name === "" ? (
                  <span className="text-ink-soft">
                    {asked === "asking"
                      ? "Asking for its name…"
                      : asked === "not told"
                        ? "Its name could not be asked for"
                        : "Not named yet"}
                  </span>
                ) : (
                  name
                )}{" "}
                <span className="font-mono text-sm text-ink-soft">{preview.workspace.slice(0, 8)}</span>
              </dd>
            </div>
            <Fact term="Server" value={hostOf(preview.server)} />
            <Fact term="You can" value={preview.role === "reader" ? "read, and change nothing" : "read and write"} />
            <Fact term="Can read it" value="You and the others in it. The server cannot." />
            <Fact term="They will see" value="that this device joined, and what you write" />
          </dl>
        </>
      ) : problem ? null : (
        <output className="mt-5 block space-y-3" aria-label="Reading the link">
          <span className="skeleton block h-4 w-4/5" />
          <span className="skeleton block h-28 w-full" />
        </output>
      )}
      {problem ? (
        <div role="alert" className="mt-5 rounded-xl bg-clay-soft px-4 py-3 text-[0.9375rem]">
          <p className="font-semibold text-clay">{problem.title}</p>
          <p className="mt-0.5">{problem.detail}</p>
        </div>
      ) : null}
      <div className="mt-6 flex flex-wrap gap-2">
        {preview && !closed ? (
          <Button look="primary" disabled={joining} onClick={() => void join()}>
            {preview.alreadyJoined ? "Open it" : joining ? "Joining…" : "Join"}
          </Button>
        ) : null}
        {(problem && !preview) || closed ? <Button onClick={onDone}>Use another link</Button> : null}
        <Link to="/" className={buttonClass("quiet")} onClick={onDone}>
          {preview && !preview.alreadyJoined ? "Not now" : "To your notes"}
        </Link>
      </div>
    </>
  );
};

/** Links that let nobody in any more, in the words of the refusal that joining would meet. */
const closedLinks = {
  live: undefined,
  revoked: "link-revoked",
  expired: "link-expired",
  "used-up": "link-used-up",
} as const;

const Fact = ({ term, value }: { term: string; value: string }) => (
  <div className="grid grid-cols-[7.5rem_minmax(0,1fr)] gap-3 px-4 py-2.5">
    <dt className="text-ink-soft">{term}</dt>
    <dd>{value}</dd>
  </div>
);

const hostOf = (server: string): string => (URL.canParse(server) ? new URL(server).host : server);
