/** How a notebook is called. Until it has a name, one made here is the person's own, and another one was shared. */
export const notebookName = (info: { readonly name: string; readonly createdHere: boolean } | undefined): string =>
  info?.name.trim() || (info?.createdHere === false ? "Shared notebook" : "My notes");
