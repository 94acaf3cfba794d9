/** A notebook without a name of its own yet is the person's first one. */
export const notebookName = (name: string | undefined): string => name?.trim() || "My notes";
