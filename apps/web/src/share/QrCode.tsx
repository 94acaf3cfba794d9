import { useMemo } from "react";
import { encode } from "uqr";

/** A QR code, dark on light in both themes: some cameras read no inverted ones. Made on this device. */
export const QrCode = ({ text, label }: { text: string; label: string }) => {
  const { path, size } = useMemo(() => {
    const { data, size: modules } = encode(text, { ecc: "M", border: 4 });
    const path = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
    return { path, size: modules };
  }, [text]);
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      className="w-full max-w-64 rounded-xl border border-line bg-white"
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#1d1b18" />
    </svg>
  );
};
