/** A plain HTTP client for tests of the server: it speaks the API by hand, so that it can also speak it wrongly. */
import {
  ChallengePurpose,
  decodePage,
  encodeBatch,
  encodeCertificate,
  ENTRIES_MEDIA_TYPE,
  type Entry,
  type Page,
  type PushResponse,
  type RoleName,
  type ServerId,
  type Session,
  type WorkspaceId,
  type WorkspaceState,
} from "@cairn/protocol";
import {
  admission,
  certificateText,
  certify,
  genesis,
  linkRecord,
  makeLink,
  makeRoot,
  prove,
  TestDevice,
  type TestLink,
  type TestRoot,
} from "../authors/index.ts";

export interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** One request with a JSON answer. */
export const request = async <Body>(
  origin: string,
  method: string,
  path: string,
  options: {
    readonly token?: string | undefined;
    readonly json?: unknown;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<Answer<Body>> => {
  const response = await fetch(`${origin}${path}`, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.json === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(options.json === undefined ? {} : { body: JSON.stringify(options.json) }),
  });
  const text = await response.text();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tests say which body they expect, and assert on it
  const body = (text === "" ? undefined : JSON.parse(text)) as Body;
  return { status: response.status, headers: response.headers, body };
};

/** A nonce of the server, and the server's id. */
export const challenge = async (origin: string): Promise<{ readonly server: ServerId; readonly nonce: string }> =>
  (await request<{ server: ServerId; nonce: string }>(origin, "POST", "/v1/challenges")).body;

/** Registers a workspace with its root and first device. */
export const register = async (
  origin: string,
  root: TestRoot,
  device: TestDevice,
  extra: Record<string, unknown> = {},
): Promise<Answer<Session>> => {
  const certificate = certify(device, "owner", { type: "root" }, root.pair);
  const { server, nonce } = await challenge(origin);
  const proof = prove(root.pair, {
    purpose: ChallengePurpose.register,
    server,
    origin,
    workspace: root.workspace,
    subject: device.device,
    statement: encodeCertificate(certificate),
    nonce,
  });
  return request(origin, "PUT", `/v1/workspaces/${root.workspace}`, {
    json: {
      rootKey: root.pair.publicKey,
      certificate: certificateText(certificate),
      proof,
      label: "first",
      ...extra,
    },
  });
};

/** A session by the device's key. */
export const renew = async (origin: string, device: TestDevice): Promise<Answer<Session>> => {
  const { server, nonce } = await challenge(origin);
  const { workspace } = device;
  const proof = prove(device.pair, {
    purpose: ChallengePurpose.session,
    server,
    origin,
    workspace,
    subject: device.device,
    nonce,
  });
  return request(origin, "POST", `/v1/workspaces/${workspace}/tokens/renew`, {
    json: { device: device.device, proof },
  });
};

/** Comes in through a link, which is not yet an admission by the chain. */
export const openLink = async (
  origin: string,
  link: TestLink,
  device: TestDevice,
  role: RoleName,
): Promise<Answer<Session>> => {
  const certificate = certify(device, role, { type: "link", link: link.link }, link.pair);
  const { server, nonce } = await challenge(origin);
  const proof = prove(link.pair, {
    purpose: ChallengePurpose.openLink,
    server,
    origin,
    workspace: device.workspace,
    subject: device.device,
    statement: encodeCertificate(certificate),
    nonce,
  });
  return request(origin, "POST", `/v1/workspaces/${device.workspace}/links/${link.link}/open`, {
    json: { certificate: certificateText(certificate), proof, label: "joined" },
  });
};

/** Pushes entries as they are. */
export const push = async (
  origin: string,
  workspace: WorkspaceId,
  token: string,
  entries: ReadonlyArray<Entry>,
): Promise<Answer<PushResponse>> => {
  const response = await fetch(`${origin}/v1/workspaces/${workspace}/entries`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": ENTRIES_MEDIA_TYPE },
    body: encodeBatch(entries.map(({ bytes }) => bytes)),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tests say which body they expect, and assert on it
  return { status: response.status, headers: response.headers, body: (await response.json()) as PushResponse };
};

/** Pulls one page; throws on an error. */
export const pull = async (
  origin: string,
  workspace: WorkspaceId,
  token: string,
  query: Record<string, string | number>,
): Promise<Page> => {
  const search = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const response = await fetch(`${origin}/v1/workspaces/${workspace}/entries?${search}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return decodePage(new Uint8Array(await response.arrayBuffer()));
};

/** The workspace's state. */
export const state = async (origin: string, workspace: WorkspaceId, token: string): Promise<WorkspaceState> =>
  (await request<WorkspaceState>(origin, "GET", `/v1/workspaces/${workspace}`, { token })).body;

/** A workspace with its owner, whose chain has begun. */
export interface Founded {
  readonly root: TestRoot;
  readonly owner: TestDevice;
  readonly session: Session;
  readonly workspace: WorkspaceId;
}

/** Registers a workspace and pushes its first entry. */
export const found = async (origin: string): Promise<Founded> => {
  const root = makeRoot();
  const owner = new TestDevice(root.workspace);
  const { body: session } = await register(origin, root, owner);
  const pushed = await push(origin, root.workspace, session.token, [genesis(root, owner)]);
  if (pushed.body.results[0]?.status !== "stored") throw new Error(`genesis: ${JSON.stringify(pushed.body)}`);
  return { root, owner, session, workspace: root.workspace };
};

/** Lets another device in through a link of its own, and has it admit itself. */
export const join = async (
  origin: string,
  founded: Founded,
  role: "writer" | "reader",
): Promise<{ readonly device: TestDevice; readonly session: Session; readonly link: TestLink }> => {
  const { owner, workspace, session } = founded;
  const link = makeLink(workspace);
  const created = await request(origin, "POST", `/v1/workspaces/${workspace}/links`, {
    token: session.token,
    json: { link: link.link, signingKey: link.pair.publicKey, role, maxUses: 0, expiresAt: null },
  });
  if (created.status !== 200) throw new Error(`createLink: ${created.status}`);
  const before = await state(origin, workspace, session.token);
  await expectStored(
    push(origin, workspace, session.token, [owner.propose(before.membershipHead, [linkRecord(link, role)])]),
  );
  const device = new TestDevice(workspace);
  const { body: joined } = await openLink(origin, link, device, role);
  const now = await state(origin, workspace, joined.token);
  await expectStored(push(origin, workspace, joined.token, [admission(device, now.membershipHead, role, link)]));
  return { device, session: joined, link };
};

const expectStored = async (answer: Promise<Answer<PushResponse>>): Promise<void> => {
  const { body } = await answer;
  if (!body.results?.every(({ status }) => status === "stored")) throw new Error(`not stored: ${JSON.stringify(body)}`);
};
