import { Check, Copy, Share } from "lucide-react";
import { useState } from "react";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";
import { QrCode } from "./QrCode.tsx";

export interface MadeLink {
  readonly url: string;
  readonly role: "writer" | "reader";
}

/** A link that was just made. Its secret is shown now and kept nowhere. */
export const NewLink = ({ made, onDone }: { made: MadeLink; onDone: () => void }) => {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(made.url);
      setCopied(true);
    } catch {
      notify({
        title: "The browser did not allow copying",
        detail: "Select the link and copy it yourself.",
        tone: "problem",
      });
    }
  };
  return (
    <div className="space-y-4">
      <div className="flex justify-center">
        <QrCode text={made.url} label="QR code of the link" />
      </div>
      <div>
        <label htmlFor="made-link" className="mb-1 block text-sm font-medium">
          {made.role === "reader" ? "Link for reading" : "Link for writing"}
        </label>
        <input
          id="made-link"
          readOnly
          value={made.url}
          className="w-full min-h-10 rounded-lg border border-line-strong bg-paper px-3 font-mono text-sm"
          onFocus={(event) => event.target.select()}
        />
        <p className="mt-1.5 text-sm text-ink-soft">
          Send it privately: whoever has it can open the notebook. It is not shown again.
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        <Button
          look="primary"
          className="flex-1"
          icon={
            copied ? <Check className="size-4" aria-hidden="true" /> : <Copy className="size-4" aria-hidden="true" />
          }
          onClick={() => void copy()}
        >
          {copied ? "Copied" : "Copy link"}
        </Button>
        {"share" in navigator ? (
          <Button
            icon={<Share className="size-4" aria-hidden="true" />}
            onClick={() => void navigator.share({ title: "A Cairn notebook", url: made.url }).catch(() => undefined)}
          >
            Send
          </Button>
        ) : null}
        <Button look="quiet" onClick={onDone}>
          Done
        </Button>
      </div>
      <output className="sr-only">{copied ? "Link copied" : ""}</output>
    </div>
  );
};
