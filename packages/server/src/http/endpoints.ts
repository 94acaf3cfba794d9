/** The API's endpoints as a table, read off its definition: what the boundary checks before a handler runs. */
import { CairnApi, LIMITS } from "@cairn/protocol";
import { HttpApi } from "effect/http-api";

export interface EndpointRow {
  /** `group.endpoint`. */
  readonly name: string;
  readonly method: string;
  /** With `:parameters`. */
  readonly path: string;
  readonly pattern: RegExp;
  /** What its body must be, if it has one. */
  readonly mediaType: string | undefined;
  /** The most that its body may have, in bytes. */
  readonly maxBodyBytes: number;
  /** Whether it wants a bearer token. */
  readonly authorized: boolean;
}

const bodyLimits: Readonly<Record<string, number>> = {
  "entries.push": LIMITS.batchBytes,
  "chunks.putChunk": LIMITS.chunkBytes,
};

const readOff = (): ReadonlyArray<EndpointRow> => {
  const rows: Array<EndpointRow> = [];
  HttpApi.reflect(CairnApi, {
    onGroup: () => undefined,
    onEndpoint: ({ group, endpoint, middleware }) => {
      const name = `${group.identifier}.${endpoint.identifier}`;
      const [mediaType] = endpoint.payload.keys();
      rows.push({
        name,
        method: endpoint.method,
        path: endpoint.path,
        pattern: new RegExp(`^${endpoint.path.replaceAll(/:[a-z]+/gi, "[^/]+")}$`),
        mediaType,
        maxBodyBytes: bodyLimits[name] ?? LIMITS.controlBytes,
        authorized: middleware.size > 0,
      });
    },
  });
  return rows;
};

export const endpoints: ReadonlyArray<EndpointRow> = readOff();

/** The endpoints at a path, whatever their method. */
export const endpointsAt = (path: string): ReadonlyArray<EndpointRow> =>
  endpoints.filter(({ pattern }) => pattern.test(path));
