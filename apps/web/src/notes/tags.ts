import { useEffect, useState } from "react";
import { useWorkspace } from "../notebook/hooks.ts";

/** All tags of the notebook, those on most notes first. */
export const useTags = (): ReadonlyArray<string> => {
  const workspace = useWorkspace();
  const [tags, setTags] = useState<ReadonlyArray<string>>(none);
  useEffect(
    () => workspace?.liveCountBy("note", "tags", {}, (counts) => setTags(counts.map(({ value }) => value))),
    [workspace],
  );
  return tags;
};

const none: ReadonlyArray<string> = [];
