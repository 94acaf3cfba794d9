import { Link } from "@tanstack/react-router";
import { RotateCcw } from "lucide-react";
import { useMayWrite } from "../notebook/app-version.ts";
import { useNow } from "../notebook/clock.ts";
import { explain } from "../notebook/explain.ts";
import { formatWhen } from "../notebook/format.ts";
import { type NoteRow, useQuery, useWorkspace } from "../notebook/hooks.ts";
import { nameOf } from "../notebook/note-text.ts";
import { Page } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";

/** Deleting is an edit, so what was deleted can be brought back. */
export const DeletedPage = () => {
  const workspace = useWorkspace();
  const mayWrite = useMayWrite();
  const now = useNow();
  const rows = useQuery("note", deleted);
  const restore = (row: NoteRow): void => {
    workspace
      ?.restore(row.id)
      .then(() => notify({ title: "Note is back", detail: nameOf(row.fields) }))
      .catch((error: unknown) => notify({ ...explain(error), tone: "problem" }));
  };
  return (
    <Page title="Deleted notes">
      {rows === undefined ? null : rows.length === 0 ? (
        <p className="text-ink-soft">Nothing here. A deleted note waits on this page until you bring it back.</p>
      ) : (
        <ul className="divide-y divide-line border-y border-line">
          {rows.map((row) => (
            <li key={row.id} className="flex items-center gap-3 py-2">
              <Link
                to="/note/$noteId"
                params={{ noteId: row.id }}
                className="min-w-0 flex-1 rounded-lg py-1 hover:underline"
              >
                <span className="block truncate font-medium">{nameOf(row.fields)}</span>
                <span className="text-sm text-ink-soft">{formatWhen(row.updatedAt, now)}</span>
              </Link>
              {!mayWrite ? null : (
                <Button
                  size="small"
                  icon={<RotateCcw className="size-4" aria-hidden="true" />}
                  aria-label={`Bring back ${nameOf(row.fields)}`}
                  onClick={() => restore(row)}
                >
                  Bring back
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Page>
  );
};

const deleted = { deleted: "only", sort: { by: "$updated", descending: true } } as const;
