import { expect, it } from "vitest";
import * as C from "@cairn/crypto";
import { EntryKind, PROTOCOL_VERSION } from "@cairn/protocol";

it("founds, links, joins, revokes", async () => {
  const root = await C.rootKeysFromSecret(C.generateRootSecret(C.systemRandom));
  const deviceKeys = await C.generateDeviceKeys(C.systemRandom);
  const founded = await C.foundWorkspace({ root, deviceKeys, deviceName: "laptop", random: C.systemRandom });
  let { state } = await C.verifyMembership(founded.workspace, [founded.genesis]);
  const link = await C.createLink({
    state,
    keyring: founded.keyring,
    server: "https://x.example",
    role: "writer",
    maxUses: 1,
    label: "for Ana",
    random: C.systemRandom,
  });
  const owner = (counter: number) => ({ device: founded.device, counter, signing: deviceKeys.signing });
  const step2 = await C.extendMembership(state, await C.proposeMembership(state, [link.record], owner(2)));
  expect(step2.refusal).toBeUndefined();
  state = step2.state;
  const parsed = C.parseAccessLink(C.encodeAccessLink(link.accessLink));
  const linkKeys = await C.linkKeysFromSecret(parsed.workspace, parsed.secret);
  const joiner = await C.generateDeviceKeys(C.systemRandom);
  const cert = await C.certifyByLink(linkKeys, parsed.workspace, joiner, parsed.role, 1);
  const ring = new C.Keyring(parsed.workspace);
  expect(await C.unlockEpochs(state, ring, { type: "link", id: linkKeys.link, keys: linkKeys.agreement })).toEqual([]);
  const joinerId = C.deviceIdOf(parsed.workspace, joiner);
  const step3 = await C.extendMembership(
    state,
    await C.proposeMembership(state, [await C.admitRecord(ring, cert, "phone", C.systemRandom)], {
      device: joinerId,
      counter: 1,
      signing: joiner.signing,
    }),
  );
  expect(step3.refusal).toBeUndefined();
  state = step3.state;
  const change = await C.keyChangeRecord(state, founded.keyring, C.systemRandom);
  state = (await C.extendMembership(state, await C.proposeMembership(state, [change.record], owner(3)))).state;
  expect(await C.unlockEpochs(state, ring, { type: "device", id: joinerId, keys: joiner.agreement })).toEqual([]);
  const header = {
    version: PROTOCOL_VERSION,
    kind: EntryKind.update,
    workspace: state.workspace,
    document: await ring.singletonDocument("notes"),
    device: joinerId,
    counter: 2,
    epoch: 2,
    covers: [],
    refs: [],
    extensions: [],
  };
  const content = new Uint8Array(10000);
  const entry = await C.sealEntry({
    header,
    content,
    sealing: C.makeSealing(ring, C.systemRandom),
    author: joiner.signing,
  });
  expect(entry.bytes.length).toBeLessThan(400);
  expect(await C.openEntry(entry, C.makeSealing(ring, C.systemRandom), joiner.signing.publicKey)).toEqual(content);
});
