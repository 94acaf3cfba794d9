import type { Cairn } from "@cairn/client";
import { useState } from "react";
import { explain } from "../notebook/explain.ts";
import type { NotebookSchema } from "../notebook/schema.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";

export const RecoverySection = ({ cairn }: { cairn: Cairn<NotebookSchema> }) => {
  const [words, setWords] = useState<ReadonlyArray<string> | undefined>(undefined);
  const show = (): void => {
    cairn.recoveryWords().then(setWords, (error: unknown) => notify({ ...explain(error), tone: "problem" }));
  };
  return (
    <Section
      title="Recovery words"
      description="24 words that stand for your keys. Write them on paper: nobody can reset what nobody else knows."
    >
      {words === undefined ? (
        <Button onClick={show}>Show the words</Button>
      ) : (
        <>
          <ol className="grid grid-cols-2 gap-x-6 gap-y-1 rounded-xl border border-line bg-stone p-4 text-[0.9375rem] sm:grid-cols-3">
            {words.map((word, index) => (
              // Words may repeat; their place is their identity.
              <li key={index} className="flex gap-2">
                <span className="w-6 text-right text-ink-soft tabular-nums">{index + 1}</span>
                <span className="font-medium">{word}</span>
              </li>
            ))}
          </ol>
          <Button look="quiet" size="small" className="mt-2" onClick={() => setWords(undefined)}>
            Hide
          </Button>
        </>
      )}
    </Section>
  );
};
