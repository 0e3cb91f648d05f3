import {
  ALL_WA_PATCH_NAMES,
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  type WAPatchName,
} from '@whiskeysockets/baileys';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import { AppStateConflictError } from './collections.js';

/** How many patches one answer carries at most; the client asks again for the rest. */
const patchesAtOnce = 200;

/**
 * App-state between server and companions (`w:sync:app:state`): patches since the client's version, and the client's
 * own patches. The server never sends snapshots, even to a client that asks for one, because snapshots are files on
 * WhatsApp's media host and Baileys has that host's name built in. A client at version 0 gets all patches instead.
 */
export const appStateFeature: Feature = {
  iqs: {
    'set:w:sync:app:state': async (iq, context) => {
      const requests = getBinaryNodeChildren(getBinaryNodeChild(iq, 'sync'), 'collection');
      const content: BinaryNode[] = [];
      for (const request of requests) content.push(await syncCollection(request, context));
      return [{ tag: 'sync', attrs: {}, content }];
    },
  },
};

async function syncCollection(
  request: BinaryNode,
  { simulator, phone, device }: DeviceContext,
): Promise<BinaryNode> {
  const name = collectionName(request.attrs.name);
  const settings = simulator.settings.of(phone);
  const { collections } = settings;
  let version = Number(request.attrs.version ?? 0);
  for (const { content } of getBinaryNodeChildren(request, 'patch')) {
    if (!(content instanceof Uint8Array)) throw new IqError(400, 'bad-request');
    try {
      version = await settings.accept(name, content, version, device);
    } catch (error) {
      if (!(error instanceof AppStateConflictError)) throw error;
      return {
        tag: 'collection',
        attrs: { name, type: 'error', version: String(collections.version(name)) },
        content: [{ tag: 'error', attrs: { code: '409', text: 'conflict' } }],
      };
    }
  }
  const missing = collections.patchesSince(name, version);
  return {
    tag: 'collection',
    attrs: {
      name,
      version: String(version),
      ...(missing.length > patchesAtOnce ? { has_more_patches: 'true' } : {}),
    },
    content: [
      {
        tag: 'patches',
        attrs: {},
        content: missing
          .slice(0, patchesAtOnce)
          .map((patch) => ({ tag: 'patch', attrs: {}, content: patch })),
      },
    ],
  };
}

function collectionName(name: string | undefined): WAPatchName {
  const known = ALL_WA_PATCH_NAMES.find((candidate) => candidate === name);
  if (!known) throw new IqError(400, 'bad-request');
  return known;
}
