/** A short message to the person. Any module may raise one; the page shows it when its toasts are loaded. */
export interface Notice {
  readonly title: string;
  readonly detail?: string;
  readonly tone?: "problem";
  readonly action?: { readonly label: string; readonly run: () => void };
}

let show: ((notice: Notice) => void) | undefined;
const early: Array<Notice> = [];

export const notify = (notice: Notice): void => {
  if (show) show(notice);
  else early.push(notice);
};

/** Called by the one place that draws notices; gets those raised before it existed. */
export const onNotice = (listener: (notice: Notice) => void): (() => void) => {
  show = listener;
  for (const notice of early.splice(0)) listener(notice);
  return () => {
    if (show === listener) show = undefined;
  };
};
