import { FILTERED_SESSIONS } from '@wafleet/contract';
import type { RedisConnection } from '../redis/connection.js';
import { keys } from '../redis/keyspace.js';
import { formatCursor, parseCursor } from '../redis/page-cursor.js';
import { asList, asText } from '../redis/reply.js';
import { Script } from '../redis/script.js';
import type { SessionDirectory } from './session-directory.js';
import type { SessionRecord } from './session-entry.js';

export interface SessionPage {
  readonly sessions: readonly SessionRecord[];
  /** The cursor of the next page. Undefined if this is the last one. */
  readonly nextCursor: string | undefined;
}

export interface SessionPageRequest {
  /** Maximum number of sessions. */
  readonly limit: number;
  /** The `nextCursor` of the previous page. Undefined for the first page. */
  readonly cursor?: string | undefined;
  /** The only sessions to list. Default: all of the tenant. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Leaves out the sessions for which it returns false. Default: none. */
  readonly matches?: ((session: SessionRecord) => boolean) | undefined;
}

/** How many sessions one step of a filter reads. */
const READ_AT_ONCE = 250;

/** The position of a session in the order of its tenant's sessions. */
interface Place {
  readonly createdAt: string;
  readonly sessionId: string;
}

const pageSessions = new Script('sessions/page-sessions', (reply): Place[] => {
  const flat = asList(reply).map(asText);
  const places: Place[] = [];
  for (let index = 0; index < flat.length; index += 2) {
    places.push({ sessionId: flat[index] ?? '', createdAt: flat[index + 1] ?? '' });
  }
  return places;
});

/**
 * A tenant's sessions in the order of their creation, page by page. The cost of a page depends on its size, not on the
 * tenant's number of sessions. With a list, it depends on the list or the tenant's sessions, whichever is shorter. A
 * session that exists all the time is on exactly one page. A session that is created meanwhile comes last, so it is on
 * a later page.
 */
export class SessionPages {
  readonly #redis: RedisConnection;
  readonly #directory: SessionDirectory;

  constructor(redis: RedisConnection, directory: SessionDirectory) {
    this.#redis = redis;
    this.#directory = directory;
  }

  /**
   * One page. With `matches`, reads up to a thousand sessions: the page may have fewer than `limit`, or none, although
   * there is a next one.
   * @throws {WafleetError} VALIDATION_FAILED if the cursor was not issued here.
   */
  async page(tenantId: string, { matches, ...request }: SessionPageRequest): Promise<SessionPage> {
    if (matches === undefined) return this.#page(tenantId, request);
    const found: SessionRecord[] = [];
    let { cursor } = request;
    for (let read = 0; read < FILTERED_SESSIONS; read += READ_AT_ONCE) {
      const page = await this.#page(tenantId, { ...request, limit: READ_AT_ONCE, cursor });
      for (const session of page.sessions) {
        if (!matches(session)) continue;
        if (found.length === request.limit) return { sessions: found, nextCursor: cursorAfter(found.at(-1)) };
        found.push(session);
      }
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    return { sessions: found, nextCursor: cursor };
  }

  async #page(
    tenantId: string,
    { limit, cursor, only }: Omit<SessionPageRequest, 'matches'>,
  ): Promise<SessionPage> {
    const after = cursor === undefined ? undefined : placeOf(cursor);
    // Reads one more than fits, to know whether there is a next page.
    const places =
      only === undefined
        ? await this.#placesAfter(tenantId, after, limit + 1)
        : (await this.#placesOf(tenantId, only, after)).slice(0, limit + 1);
    const shown = places.slice(0, limit);
    const last = places.length > limit ? shown.at(-1) : undefined;
    return {
      sessions: await this.#directory.getMany(shown.map(({ sessionId }) => ({ tenantId, sessionId }))),
      nextCursor: last && formatCursor({ at: last.createdAt, id: last.sessionId }),
    };
  }

  /**
   * Yields all of the tenant's sessions, or those of a list, in the same order, with `limit` sessions on each page. A
   * list that fits on one page costs one read.
   */
  async *pages(
    tenantId: string,
    { limit = 100, only }: Pick<Partial<SessionPageRequest>, 'limit' | 'only'> = {},
  ): AsyncGenerator<readonly SessionRecord[]> {
    if (only === undefined) yield* this.#pagesOfAll(tenantId, limit);
    else yield* this.#pagesOf(tenantId, only, limit);
  }

  async *#pagesOf(
    tenantId: string,
    only: ReadonlySet<string>,
    limit: number,
  ): AsyncGenerator<readonly SessionRecord[]> {
    const existing =
      only.size <= limit
        ? [...only]
        : (await this.#placesOf(tenantId, only)).map(({ sessionId }) => sessionId);
    for (let begin = 0; begin < existing.length; begin += limit) {
      const refs = existing.slice(begin, begin + limit).map((sessionId) => ({ tenantId, sessionId }));
      const sessions = await this.#directory.getMany(refs);
      if (sessions.length > 0) yield sessions.sort(inOrder);
    }
  }

  async *#pagesOfAll(tenantId: string, limit: number): AsyncGenerator<readonly SessionRecord[]> {
    let cursor: string | undefined;
    do {
      const { sessions, nextCursor } = await this.page(tenantId, { limit, cursor });
      if (sessions.length > 0) yield sessions;
      cursor = nextCursor;
    } while (cursor !== undefined);
  }

  #placesAfter(tenantId: string, after: Place | undefined, limit: number): Promise<Place[]> {
    return this.#run(tenantId, [limit, after?.createdAt ?? '', after?.sessionId ?? '']);
  }

  async #placesOf(tenantId: string, ids: ReadonlySet<string>, after?: Place): Promise<Place[]> {
    const places = await this.#existing(tenantId, ids);
    return places.sort(inOrder).filter((place) => after === undefined || inOrder(place, after) > 0);
  }

  /** A list may be much longer than the tenant's sessions, so the shorter of the two is sent through Redis. */
  async #existing(tenantId: string, ids: ReadonlySet<string>): Promise<Place[]> {
    const count = await this.#redis.scard(keys.sessions(tenantId));
    if (count === 0) return [];
    if (count >= ids.size) return this.#run(tenantId, [0, '', '', ...ids]);
    const all = await this.#placesAfter(tenantId, undefined, count);
    return all.filter(({ sessionId }) => ids.has(sessionId));
  }

  #run(tenantId: string, args: readonly (string | number)[]): Promise<Place[]> {
    const prefix = keys.session({ tenantId, sessionId: '' });
    return pageSessions.run(
      this.#redis,
      [keys.sessions(tenantId), keys.sessionOrder(tenantId)],
      [prefix, ...args],
    );
  }
}

function inOrder(a: Place | SessionRecord, b: Place | SessionRecord): number {
  return (
    Number(a.createdAt) - Number(b.createdAt) ||
    Buffer.compare(Buffer.from(a.sessionId), Buffer.from(b.sessionId))
  );
}

function placeOf(cursor: string): Place {
  const { at, id } = parseCursor(cursor);
  return { createdAt: at, sessionId: id };
}

function cursorAfter(session: SessionRecord | undefined): string | undefined {
  return session && formatCursor({ at: String(session.createdAt), id: session.sessionId });
}
