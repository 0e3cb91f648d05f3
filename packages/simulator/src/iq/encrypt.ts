import {
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  jidDecode,
} from '@whiskeysockets/baileys';
import { bundleNodes, bytes, readPreKey, readSignedPreKey } from '../protocol/key-nodes.js';
import { bigEndian, unsigned } from '../protocol/payload.js';
import type { Feature } from '../server/feature.js';
import type { World } from '../world/world.js';

/** Pre-keys: upload, count, digest, rotation, and the bundles that peers fetch. */
export const encryptFeature: Feature = {
  iqs: {
    'get:encrypt:count': (_iq, { device }) => [
      { tag: 'count', attrs: { value: String(device.preKeyCount) } },
    ],
    'get:encrypt:digest': (_iq, { device }) => [
      {
        tag: 'digest',
        attrs: {},
        content: [{ tag: 'count', attrs: { value: String(device.preKeyCount) } }],
      },
    ],
    'set:encrypt:rotate': (iq, { device }) => {
      const signedPreKey = readSignedPreKey(getBinaryNodeChild(getBinaryNodeChild(iq, 'rotate'), 'skey'));
      device.rotateSignedPreKey(signedPreKey);
      return [];
    },
    'set:encrypt': (iq, { device, phone }) => {
      const isFirst = !device.hasKeys;
      device.storeKeys(
        {
          registrationId: unsigned(bytes(iq, 'registration')),
          identityKey: bytes(iq, 'identity'),
          signedPreKey: readSignedPreKey(getBinaryNodeChild(iq, 'skey')),
        },
        getBinaryNodeChildren(getBinaryNodeChild(iq, 'list'), 'key').map(readPreKey),
      );
      if (isFirst) phone.announce('add', device);
      return [];
    },
    'get:encrypt:key': (iq, { simulator }) => {
      const users = getBinaryNodeChildren(getBinaryNodeChild(iq, 'key'), 'user');
      const content = users.map(({ attrs }) => bundleFor(simulator.world, attrs.jid ?? ''));
      return [{ tag: 'list', attrs: {}, content }];
    },
  },
};

function bundleFor(world: World, jid: string): BinaryNode {
  const phone = world.phone(jid);
  const isCompanion = Boolean(jidDecode(jid)?.device);
  const device = isCompanion ? world.device(jid) : undefined;
  if (!phone || (isCompanion && !device?.hasKeys)) {
    return {
      tag: 'user',
      attrs: { jid },
      content: [{ tag: 'error', attrs: { code: '404', text: 'item-not-found' } }],
    };
  }
  const bundle = (device ?? phone.signal).takeBundle();
  return {
    tag: 'user',
    attrs: { jid },
    content: [
      { tag: 'registration', attrs: {}, content: bigEndian(bundle.registrationId, 4) },
      ...bundleNodes(bundle),
      ...(device ? [{ tag: 'device-identity', attrs: {}, content: device.deviceIdentity }] : []),
    ],
  };
}
