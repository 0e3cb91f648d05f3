import {
  type ChangedSession,
  effectOf,
  METADATA_LIMITS,
  metadataSchema,
  readSettings,
  SETTINGS_GROUPS,
  type SessionChange,
  type TakesEffect,
  WafleetError,
} from '@wafleet/contract';
import type { Logger } from '@wafleet/runtime';
import type { SessionRef, SessionSettingsRecords, SettingsRecord, WorkerRegistry } from '@wafleet/store';
import { mergePatch } from './merge-patch.js';
import { requireProxySupport } from './require-proxy-support.js';
import type { SessionCommands } from './session-commands.js';
import { shownProxy } from './shown-proxy.js';

type Effects = ChangedSession['takesEffect'];

interface SessionChangesResources {
  readonly settings: SessionSettingsRecords;
  readonly commands: SessionCommands;
  readonly workers: Pick<WorkerRegistry, 'haveAll'>;
  /** Deletes the lists of a session's chats and contacts. */
  readonly deleteLists: (ref: SessionRef) => Promise<void>;
  readonly logger: Logger;
}

/** How often a change begins again because another one came between. */
const ATTEMPTS = 5;
const RETRY_MS = 1_000;
/** The session has no worker that runs it: the next one reads what is stored. */
const NOT_RUNNING: ReadonlySet<string> = new Set(['NO_WORKER', 'SESSION_NOT_OPEN', 'SESSION_NOT_FOUND']);

/** Changes what was set for sessions, and has their workers apply it. */
export class SessionChanges {
  readonly #resources: SessionChangesResources;

  constructor(resources: SessionChangesResources) {
    this.#resources = resources;
  }

  /**
   * Applies a merge patch. Once it is stored, the session's worker applies it; if that cannot be reached, the change holds
   * from the next connection on. Concurrent changes are applied one after the other.
   * @param requestId of the REST call, for logs.
   * @returns when each part that has changed takes effect.
   * @throws {WafleetError} SESSION_NOT_FOUND; VALIDATION_FAILED if there would be too much metadata; UNAVAILABLE;
   * NOT_SUPPORTED for a proxy while a worker of an earlier release runs.
   */
  async change(ref: SessionRef, change: SessionChange, requestId?: string): Promise<Effects> {
    await requireProxySupport(this.#resources.workers, change.proxy);
    const effects = await this.#store(ref, change);
    // A session that is not running has no worker that would delete them. A running worker does so too: it may write an
    // entry until it knows.
    if (effects.lists !== undefined && change.settings?.lists !== true)
      await this.#resources.deleteLists(ref);
    const { name: _name, metadata: _metadata, ...ofSession } = effects;
    if (Object.keys(ofSession).length === 0 || (await this.#announce(ref, requestId))) return effects;
    const later = Object.entries(ofSession).map(([part, effect]) => [part, postponed(effect)]);
    return { ...effects, ...Object.fromEntries(later) };
  }

  async #store(ref: SessionRef, change: SessionChange): Promise<Effects> {
    const { settings } = this.#resources;
    const { name, proxy } = change;
    let before: SettingsRecord | undefined;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const current = await settings.read(ref);
      // If an answer of Redis was lost, what came between is this change itself, and is in what is read again.
      before ??= current;
      const plain = plainAfter(current.stored, change);
      if (await settings.replace(ref, current.version, { name, plain, proxy })) {
        return effectsOf(before, plain, change);
      }
    }
    const message = 'Others change the session at the same time.';
    throw new WafleetError('UNAVAILABLE', message, { retryAfterMs: RETRY_MS });
  }

  /** Returns false if the session's worker may not have applied the change. */
  async #announce(ref: SessionRef, requestId: string | undefined): Promise<boolean> {
    const { commands, logger } = this.#resources;
    try {
      await commands.call({ kind: 'settings-changed', ...ref }, { requestId });
      return true;
    } catch (error) {
      if (error instanceof WafleetError && NOT_RUNNING.has(error.code)) return true;
      logger.warn(
        { err: error, requestId, ...ref },
        'the worker of a session may not know that its settings have changed',
      );
      return false;
    }
  }
}

/**
 * What is stored after a change. Fields of later releases stay.
 * @throws {WafleetError} VALIDATION_FAILED
 */
export function plainAfter(
  stored: Readonly<Record<string, unknown>>,
  change: Pick<SessionChange, 'metadata' | 'settings' | 'proxy'>,
): Readonly<Record<string, unknown>> {
  const { metadata, settings, proxy } = change;
  const shown = typeof proxy === 'string' ? shownProxy(proxy) : proxy;
  const plain = mergePatch(stored, { metadata, settings });
  requireBounded(plain.metadata);
  // A proxy is replaced as a whole.
  return shown === undefined
    ? plain
    : { ...mergePatch(plain, { proxy: null }), ...(shown && { proxy: shown }) };
}

function requireBounded(metadata: unknown): void {
  const { success } = metadataSchema.optional().safeParse(metadata);
  if (success) return;
  const { keys, bytes } = METADATA_LIMITS;
  const message = `The session would have too much metadata: at most ${keys} keys, and ${bytes} bytes as JSON.`;
  throw new WafleetError('VALIDATION_FAILED', message, { issues: [{ path: 'body.metadata', message }] });
}

/** Of the parts that the change names, since others may have changed the rest meanwhile. */
function effectsOf(
  before: SettingsRecord,
  plain: Readonly<Record<string, unknown>>,
  { name, metadata, settings: named, proxy }: SessionChange,
): Effects {
  const { settings } = readSettings(plain.settings);
  const groups = SETTINGS_GROUPS.filter((group) => named === null || named?.[group] !== undefined);
  const changed = groups.filter((group) => !isSame(settings[group], before.settings[group]));
  const isMetadataChanged = metadata !== undefined && !isSame(plain.metadata ?? {}, before.metadata);
  const effects = changed.map((group) => [group, effectOf(group, settings)]);
  return {
    ...(name === undefined ? {} : { name: 'now' }),
    ...(isMetadataChanged ? { metadata: 'now' } : {}),
    ...Object.fromEntries(effects),
    ...(proxy === undefined ? {} : { proxy: 'reconnect' }),
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function postponed(effect: TakesEffect | undefined): TakesEffect | undefined {
  return effect === 'now' ? 'reconnect' : effect;
}
