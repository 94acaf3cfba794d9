/** What a camera sees. */
import type { Locator } from "playwright-core";
import { decodeQR } from "qr/decode.js";

/** The text of the QR code on the screen, as it is drawn. Throws where there is none that can be read. */
export const scanQrCode = async (code: Locator): Promise<string> => {
  const screenshot = await code.screenshot();
  const image = await code.page().evaluate(
    async (png) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(png)], { type: "image/png" }));
      const { width, height } = bitmap;
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("this browser draws nothing");
      context.drawImage(bitmap, 0, 0);
      return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
    },
    [...screenshot],
  );
  return decodeQR({ ...image, data: Uint8Array.from(image.data) });
};
