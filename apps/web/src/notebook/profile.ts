/** The name of the local database. */
export const profile = "notebook";
