/**
 * That a person decided to start anew where the browser had deleted the profile. In the session's storage: it has to
 * outlive one reload, and must not outlive the tab.
 */
const key = "cairn.start-anew";

/** Loads the page again, and lets the next opening make an empty notebook. */
export const startAnew = (): void => {
  sessionStorage.setItem(key, "1");
  location.reload();
};

/** Whether that was decided; asked once. */
export const takeStartAnew = (): boolean => {
  const decided = sessionStorage.getItem(key) !== null;
  sessionStorage.removeItem(key);
  return decided;
};
