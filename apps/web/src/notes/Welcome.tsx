import { Link } from "@tanstack/react-router";
import { HardDriveDownload, Link2, Lock, Users } from "lucide-react";
import { useWide } from "../shell/use-wide.ts";
import { Composer } from "./Composer.tsx";

/** What the first page begins with. */
export const WelcomeHeading = () => {
  // On a phone it stands inside the list, which has its own first heading.
  const Heading = useWide() ? "h1" : "h2";
  return (
    <>
      <Heading className="font-serif text-[1.75rem] leading-tight font-semibold tracking-tight">
        Start with a line
      </Heading>
      <p className="mt-2 text-ink-soft">Whatever is on your mind. It is saved on this device as you write.</p>
    </>
  );
};

/** What Cairn is, in three lines, and the way in for those who were invited. */
export const WelcomePoints = () => (
  <>
    <ul className="mt-8 space-y-3.5 text-[0.9375rem] leading-snug text-ink-soft [&_svg]:mt-0.5 [&_svg]:size-[1.15rem] [&_svg]:shrink-0 [&_svg]:text-moss">
      <li className="flex gap-3">
        <HardDriveDownload aria-hidden="true" />
        <span>Yours first. Notes live on this device and open without a network.</span>
      </li>
      <li className="flex gap-3">
        <Lock aria-hidden="true" />
        <span>Sealed before they leave. A server carries them between your devices and cannot read them.</span>
      </li>
      <li className="flex gap-3">
        <Users aria-hidden="true" />
        <span>Shared by a link. Send one to your phone, or to somebody you write with.</span>
      </li>
    </ul>
    <p className="mt-8 flex items-center gap-2 text-[0.9375rem]">
      <Link2 className="size-[1.15rem] text-moss" aria-hidden="true" />
      <Link
        to="/join"
        className="font-medium text-moss underline decoration-moss/40 underline-offset-4 hover:decoration-moss"
      >
        Somebody sent me a link
      </Link>
    </p>
  </>
);

/** The first page anybody sees. It takes a note at once: no account, no server, no question before the first line. */
export const Welcome = () => (
  <div className="mx-auto w-full max-w-xl px-3 py-6 wide:px-8 wide:py-16">
    <WelcomeHeading />
    <Composer />
    <WelcomePoints />
  </div>
);
