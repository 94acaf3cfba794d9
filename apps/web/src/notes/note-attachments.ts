import type { AttachmentInfo } from "@cairn/client";
import type { AttachmentSource } from "../editor/attachment-widget.ts";
import type { NoteId, Notebook } from "../notebook/hooks.ts";
import { explain } from "../notebook/explain.ts";
import { notify } from "../ui/notices.ts";

/** The largest attachment: 2,048 chunks of 1 MiB is what one entry can refer to. */
export const maxAttachmentBytes = 2048 * 1024 * 1024;

/** The attachments of one open note, for the editor's widgets. Owns the object URLs it gives out. */
export interface OpenAttachments extends AttachmentSource {
  /** Follows the note's attachments until the returned function is called; may be done again after that. */
  readonly follow: () => () => void;
}

export const openAttachments = (notebook: Notebook, note: NoteId): OpenAttachments => {
  let known: ReadonlyMap<string, AttachmentInfo> = new Map();
  const urls = new Map<string, Promise<string>>();
  const listeners = new Set<() => void>();

  const read = async (id: string): Promise<Blob> => {
    const stream = await notebook.readAttachment(note, id);
    // Never the type the file claims where a browser would run it: only the name decides what opens it later.
    const mediaType = known.get(id)?.mediaType ?? "";
    const type = mediaType.startsWith("image/") ? mediaType : "application/octet-stream";
    return new Response(stream, { headers: { "content-type": type } }).blob();
  };

  return {
    get: (id) => known.get(id),
    subscribe: (callback) => {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    pictureUrl: (id) => {
      const open = urls.get(id) ?? read(id).then((blob) => URL.createObjectURL(blob));
      urls.set(id, open);
      // A failure is not kept: the picture may arrive later.
      open.catch(() => urls.delete(id));
      return open;
    },
    download: (id) => {
      void read(id)
        .then((blob) => saveBlob(blob, known.get(id)?.name ?? "attachment"))
        .catch((error: unknown) => notify({ ...explain(error), tone: "problem" }));
    },
    follow: () => {
      const unsubscribe = notebook.onAttachments(note, (infos) => {
        known = new Map(infos.map((info) => [info.id, info]));
        for (const listener of listeners) listener();
      });
      return () => {
        unsubscribe();
        for (const open of urls.values()) void open.then((url) => URL.revokeObjectURL(url)).catch(() => undefined);
        urls.clear();
      };
    },
  };
};

/** Hands a file to the browser's downloads. */
export const saveBlob = (blob: Blob, name: string): void => {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  // The download has its own reference by the next task; browsers differ in how soon.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};
