import { useEffect, useState } from "react";
import { useWorkspace } from "../notebook/hooks.ts";

/** All tags of the notebook, those on most notes first; undefined until they are counted, which notes go before. */
export const useTags = (): ReadonlyArray<string> | undefined => {
  const workspace = useWorkspace();
  const [tags, setTags] = useState<ReadonlyArray<string>>();
  useEffect(() => {
    if (!workspace) return undefined;
    let stop = (): void => undefined;
    const timer = setTimeout(() => {
      stop = workspace.liveCountBy("note", "tags", {}, (counts) => {
        setTags(counts.map(({ value }) => value).filter(isTag));
      });
    }, afterListMs);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [workspace]);
  return tags;
};

/** The list has been drawn by then. */
const afterListMs = 150;

/** Notes that are still arriving are counted under no value at all. */
const isTag = (value: string | null): value is string => value !== null;
