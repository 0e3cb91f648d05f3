import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@wafleet/client';
import type { SessionView } from '@wafleet/contract';
import type { Cluster, TestTenant } from '@wafleet/testkit';
import type { Phone } from './linked-sessions.js';
import { ownerOf } from './owner-process.js';

/** A session and its person. */
export interface SessionLife {
  readonly cluster: Cluster;
  readonly tenant: TestTenant;
  readonly id: string;
  readonly phone: Phone;
}

/** A transition of a session: it begins, ends, or moves from one worker to another. */
export interface SessionEnd {
  readonly name: string;
  /** The state before: `absent` if the session does not exist; a `failed` one rests without a worker. */
  readonly from: 'absent' | 'open' | 'failed';
  /** @param signal aborts when the transition has ended, complete or halfway. */
  readonly begin: (life: SessionLife, signal: AbortSignal) => Promise<unknown>;
  /** Whether the transition is complete, and the worker is done with it. */
  readonly isOver: (life: SessionLife) => Promise<boolean>;
  /** Whether the session is as it should be once the cluster has noticed the death of its worker. */
  readonly comesAbout: (life: SessionLife) => Promise<boolean>;
  /** The transition is over with this write. Default: the last one. */
  readonly until?: string;
  /** The writes to Redis or WhatsApp that a worker must have made. */
  readonly writes: readonly string[];
  /** How long a person may take to link a phone. Default: that of the session. */
  readonly whatsapp?: { readonly qrLifeMs: number; readonly linkPatienceMs: number };
}

/** Undefined if there is no such session. */
export async function viewOf({ tenant, id }: SessionLife): Promise<SessionView | undefined> {
  try {
    return await tenant.client.call('get-session', { params: { id } });
  } catch (error) {
    if (error instanceof ApiError && error.code === 'SESSION_NOT_FOUND') return undefined;
    throw error;
  }
}

export async function scan({ tenant, id, phone }: SessionLife): Promise<void> {
  const { qr } = await tenant.client.call('get-qr', { params: { id } });
  await phone.scan(qr);
}

/** WhatsApp refuses the account until `acceptLogins`. */
export function forbid({ cluster, phone }: SessionLife): void {
  cluster.simulator.refuseLogins(403, phone);
  cluster.simulator.disconnect(phone, { failure: 403 });
}

const isAny =
  (...statuses: readonly string[]) =>
  async (life: SessionLife) => {
    const view = await viewOf(life);
    return view !== undefined && statuses.includes(view.status);
  };

/** Whether it has this status, and no worker owns it. */
export const restsAs = (status: string) => async (life: SessionLife) => {
  const view = await viewOf(life);
  return view?.status === status && view.worker === undefined;
};

const isGone = async (life: SessionLife) => (await viewOf(life)) === undefined;

/** Names of the writes. packages/session/src/testing/fault-points/labels.ts creates them. */
const CLAIM = 'evalsha owner session unowned owned purged-epoch';
const RELEASE = 'evalsha owner session unowned owned';
const OPENED = 'append connection.update open';
const RECORDS =
  'secrets secrets-before finished finished-before chats chat-order contacts contact-order list-notes';
const WIPE = `evalsha owner auth qr messages media ${RECORDS}`;
const PURGE =
  'evalsha owner sessions unowned owned session-order purged-epoch session auth settings call-replies sends ' +
  `new-chats known-chats send-pause qr pairing passkey-link messages media uploads upload-ends ${RECORDS}`;

export const SESSION_ENDS: readonly SessionEnd[] = [
  {
    name: 'linked',
    from: 'absent',
    begin: async (life, signal) => {
      await life.tenant.client.call('create-session', { body: { id: life.id } });
      // A session has no code at first, and a code may be replaced while it is scanned.
      let isScanned = false;
      while (!signal.aborted && !isScanned) {
        isScanned = await scan(life).then(
          () => true,
          () => delay(50, false),
        );
      }
    },
    isOver: isAny('open'),
    comesAbout: isAny('open', 'awaiting_link', 'logged_out'),
    until: OPENED,
    writes: [
      ...[CLAIM, 'evalsha owner session awaiting_link', 'append auth.qr', 'iq result  pair-device-sign'],
      ...['evalsha owner auth creds', 'evalsha owner session open', OPENED],
    ],
  },
  {
    name: 'closed',
    from: 'absent',
    begin: ({ tenant, id }) => tenant.client.call('create-session', { body: { id } }),
    isOver: restsAs('closed'),
    comesAbout: isAny('closed', 'awaiting_link'),
    writes: ['evalsha owner session closed', 'append connection.update closed', RELEASE],
    whatsapp: { qrLifeMs: 100, linkPatienceMs: 400 },
  },
  {
    name: 'failed',
    from: 'open',
    begin: async (life) => forbid(life),
    isOver: restsAs('failed'),
    comesAbout: restsAs('failed'),
    writes: ['evalsha owner session failed', 'append connection.update failed', RELEASE],
  },
  {
    name: 'logged-out',
    from: 'open',
    begin: async ({ phone }) => phone.unlink(),
    isOver: restsAs('logged_out'),
    // A session without keys counts as not linked yet.
    comesAbout: async (life) => (await restsAs('logged_out')(life)) || (await isAny('awaiting_link')(life)),
    writes: [WIPE, 'evalsha owner session logged_out', 'append connection.update logged_out', RELEASE],
  },
  {
    name: 'restarted',
    from: 'failed',
    begin: ({ tenant, id }) => tenant.client.call('restart-session', { params: { id } }),
    isOver: isAny('open'),
    comesAbout: isAny('open'),
    until: OPENED,
    writes: [CLAIM, 'evalsha owner session connecting', 'evalsha owner session open', OPENED],
  },
  {
    name: 'drained',
    from: 'open',
    begin: async ({ cluster, tenant, id }) => {
      const owner = await ownerOf(cluster, tenant, id);
      // A worker that halts does not stop. It is killed then, and its exit code is ignored.
      owner.stop().catch(() => {});
    },
    isOver: isAny('open'),
    comesAbout: isAny('open'),
    writes: ['evalsha owner session queued', 'append connection.update queued', RELEASE, 'evalsha queue'],
  },
  {
    name: 'deleted',
    from: 'open',
    begin: ({ tenant, id }) => tenant.client.call('remove-session', { params: { id } }),
    isOver: isGone,
    comesAbout: isGone,
    writes: ['iq set md remove-companion-device', WIPE, 'evalsha owner session logged_out', PURGE],
  },
];
