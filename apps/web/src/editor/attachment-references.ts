/*
 * How a note's Markdown refers to its attachments: as a link or an image whose address is `attachment:` and the
 * attachment's id. Apart from the editor, because pages need it that do not load the editor.
 */

export const attachmentScheme = "attachment:";

/** The Markdown that shows an attachment: pictures as images, everything else as links. */
export const attachmentMarkdown = (attachment: { id: string; name: string; mediaType: string }): string => {
  const label = attachment.name.replaceAll(/[[\]\\\n]/g, " ");
  return `${isPicture(attachment.mediaType) ? "!" : ""}[${label}](${attachmentScheme}${attachment.id})`;
};

/** The ids of the attachments that a text shows. */
export const attachmentsShownIn = (markdown: string): ReadonlySet<string> =>
  new Set([...markdown.matchAll(/\]\(attachment:([\w-]+)\)/g)].map((match) => match[1] ?? ""));

/** Kinds of pictures that every current browser draws. */
export const isPicture = (mediaType: string): boolean =>
  /^image\/(png|jpeg|gif|webp|avif|svg\+xml|bmp)$/.test(mediaType);
