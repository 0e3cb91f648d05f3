import { createHash } from 'node:crypto';
import { type MediaConnection, mediaConnectionSchema, WafleetError } from '@wafleet/contract';
import { getBinaryNodeChild, getBinaryNodeChildren, type WASocket } from '@whiskeysockets/baileys';
import { askWhatsApp } from '../baileys/ask-whatsapp.js';

/** What is cached is replaced this long before it ends, since an upload takes some time, ms. */
const SPARE_MS = 60_000;
/** What WhatsApp says of no life lives for so long, s. */
const DEFAULT_TTL_S = 300;

interface Cached {
  readonly connection: Promise<MediaConnection & { readonly goodUntil: number }>;
}

/**
 * Names a token without showing it.
 * @param auth the token of a media connection.
 */
export function digestOfAuth(auth: string): string {
  return createHash('sha256').update(auth).digest('base64url');
}

/**
 * What WhatsApp says to sessions of its media hosts: which there are, and a token for uploads. It is asked for once per
 * socket, and again when its life ends. Not by Baileys' own function: once WhatsApp has not answered that, it fails for
 * as long as the socket lives.
 */
export class MediaConnections {
  readonly #cached = new WeakMap<WASocket, Cached>();

  /**
   * @param stale the digest of a token that a host has refused: it is not given again.
   * @throws {WafleetError} WHATSAPP_REFUSED; UNAVAILABLE if WhatsApp does not answer.
   */
  async of(socket: WASocket, stale?: string): Promise<MediaConnection> {
    const { auth, hosts, goodUntil } = await this.#ask(socket);
    if (digestOfAuth(auth) !== stale && performance.now() < goodUntil) return { auth, hosts };
    this.#cached.delete(socket);
    const again = await this.#ask(socket);
    return { auth: again.auth, hosts: again.hosts };
  }

  #ask(socket: WASocket): Cached['connection'] {
    const cached = this.#cached.get(socket);
    if (cached !== undefined) return cached.connection;
    const connection = askForConnection(socket);
    const entry = { connection };
    this.#cached.set(socket, entry);
    connection.catch(() => {
      if (this.#cached.get(socket) === entry) this.#cached.delete(socket);
    });
    return connection;
  }
}

async function askForConnection(socket: WASocket): Cached['connection'] {
  const askedAt = performance.now();
  const answer = await askWhatsApp(socket, { tag: 'media_conn', attrs: {} }, { xmlns: 'w:m' }).catch(
    unanswered,
  );
  const node = getBinaryNodeChild(answer, 'media_conn');
  const hosts = getBinaryNodeChildren(node, 'host').map(({ attrs }) => attrs.hostname ?? '');
  const { data } = mediaConnectionSchema.safeParse({ auth: node?.attrs.auth, hosts: hosts.filter(Boolean) });
  if (data === undefined) throw new WafleetError('UNAVAILABLE', 'WhatsApp named no media host.');
  const ttl = Number(node?.attrs.auth_ttl ?? node?.attrs.ttl);
  const lifeMs = (Number.isFinite(ttl) && ttl > 0 ? ttl : DEFAULT_TTL_S) * 1_000;
  return { ...data, goodUntil: askedAt + Math.max(lifeMs - SPARE_MS, lifeMs / 2) };
}

function unanswered(error: unknown): never {
  if (error instanceof WafleetError) throw error;
  throw new WafleetError('UNAVAILABLE', 'WhatsApp did not answer.', undefined, { cause: error });
}
