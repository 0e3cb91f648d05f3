import {
  ALL_WA_PATCH_NAMES,
  type BinaryNode,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  proto,
  type WAPatchName,
} from '@whiskeysockets/baileys';
import { encryptMedia } from '../media/encryption.js';
import { IqError } from '../protocol/iq-error.js';
import type { DeviceContext, Feature } from '../server/feature.js';
import { AppStateConflictError } from './collections.js';

/** How many patches one answer carries at most; the client asks again for the rest. */
const patchesAtOnce = 200;

/**
 * App-state between server and companions (`w:sync:app:state`): patches since the client's version, and the client's
 * own patches. A client at version 0 gets all patches. Only with `syncsByFile` does it get a snapshot if it asks for
 * one: snapshots are files of the media host, and Baileys has the name of WhatsApp's host built in.
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
  const wantsSnapshot = simulator.syncsByFile && version === 0 && request.attrs.return_snapshot === 'true';
  const snapshot =
    wantsSnapshot && collections.version(name) > 0 ? await snapshotOf(name, simulator, phone) : [];
  if (snapshot.length > 0) version = collections.version(name);
  const missing = collections.patchesSince(name, version);
  return {
    tag: 'collection',
    attrs: {
      name,
      version: String(version),
      ...(missing.length > patchesAtOnce ? { has_more_patches: 'true' } : {}),
    },
    content: [
      ...snapshot,
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

/** The collection as a file of the media host, and what a client needs to open it. */
async function snapshotOf(
  name: WAPatchName,
  { settings, media }: DeviceContext['simulator'],
  phone: DeviceContext['phone'],
): Promise<BinaryNode[]> {
  const { encoded } = await settings.of(phone).state.snapshot(name);
  const { blob, mediaKey, fileSha256, fileEncSha256 } = await encryptMedia(
    Buffer.from(encoded),
    'md-app-state',
  );
  const reference = {
    mediaKey,
    fileSha256,
    fileEncSha256,
    directPath: media.put(blob),
    fileSizeBytes: blob.length,
  };
  return [{ tag: 'snapshot', attrs: {}, content: proto.ExternalBlobReference.encode(reference).finish() }];
}

function collectionName(name: string | undefined): WAPatchName {
  const known = ALL_WA_PATCH_NAMES.find((candidate) => candidate === name);
  if (!known) throw new IqError(400, 'bad-request');
  return known;
}
