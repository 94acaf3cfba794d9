import { useEffect, useState } from "react";
import { useWorkspace } from "../notebook/hooks.ts";

/** All tags of the notebook, those on most notes first. */
export const useTags = (): ReadonlyArray<string> => {
  const workspace = useWorkspace();
  const [tags, setTags] = useState<ReadonlyArray<string>>(none);
  useEffect(
    () =>
      workspace?.liveCountBy("note", "tags", {}, (counts) => setTags(counts.map(({ value }) => value).filter(isTag))),
    [workspace],
  );
  return tags;
};

/** Notes that are still arriving are counted under no value at all. */
const isTag = (value: string | null): value is string => value !== null;

const none: ReadonlyArray<string> = [];
