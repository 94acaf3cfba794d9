const HEADER = 54;

/** A picture in BMP, 24 bits for each pixel, of which no two pieces are the same. */
export const bitmap = (width: number, height: number): Buffer<ArrayBuffer> => {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(HEADER + stride * height);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(HEADER, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  let state = 0x9e3779b9;
  for (let at = HEADER; at + 4 <= file.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    file.writeInt32LE(state, at);
  }
  return file;
};
