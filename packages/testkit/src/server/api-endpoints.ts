/** The endpoints of the API, as its definition names them: for tests that have to know every one. */
import { CairnApi } from "@cairn/protocol";
import { HttpApi } from "effect/http-api";

export interface ApiEndpoint {
  /** `group.endpoint`. */
  readonly name: string;
  readonly method: string;
  /** With `:parameters`. */
  readonly path: string;
  /** What its body must be, if it has one. */
  readonly mediaType: string | undefined;
  /** Whether it wants a bearer token. */
  readonly authorized: boolean;
}

export const apiEndpoints = (): ReadonlyArray<ApiEndpoint> => {
  const found: Array<ApiEndpoint> = [];
  HttpApi.reflect(CairnApi, {
    onGroup: () => undefined,
    onEndpoint: ({ group, endpoint, middleware }) => {
      found.push({
        name: `${group.identifier}.${endpoint.identifier}`,
        method: endpoint.method,
        path: endpoint.path,
        mediaType: [...endpoint.payload.keys()][0],
        authorized: middleware.size > 0,
      });
    },
  });
  return found;
};
