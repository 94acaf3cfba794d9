import type { TransferOptions } from "@cairn/client";
import { useEffect, useRef, useState } from "react";
import { explain } from "../notebook/explain.ts";
import { notify } from "../ui/notices.ts";

/** A transfer that goes on. `total` is 0 where it is not known. Bytes. */
export interface Transfer {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

export interface TransferSteps {
  /** Begins the next step, and gives what the client needs to tell how far it is. */
  readonly step: (what: string) => Required<TransferOptions>;
}

/** One transfer at a time, with how far it is and a way to end it. It ends with the component, too. */
export const useTransfer = () => {
  const [transfer, setTransfer] = useState<Transfer | undefined>(undefined);
  const abort = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  /** Runs it. `failed` may take a failure on; others are shown, and the words of `stopped` where the person ended it. */
  const run = async (
    work: (steps: TransferSteps) => Promise<void>,
    stopped: { readonly title: string; readonly detail?: string },
    failed: (error: unknown) => boolean = () => false,
  ): Promise<void> => {
    const controller = new AbortController();
    abort.current = controller;
    const { signal } = controller;
    try {
      await work({
        step: (what) => {
          setTransfer({ what, done: 0, total: 0 });
          return { signal, onProgress: (done, total) => setTransfer({ what, done, total }) };
        },
      });
    } catch (error) {
      if (signal.aborted) notify(stopped);
      else if (!failed(error)) notify({ ...explain(error), tone: "problem" });
    } finally {
      setTransfer(undefined);
    }
  };

  return { transfer, run, cancel: () => abort.current?.abort() };
};
