import { type KeyScope, WafleetError } from '@wafleet/contract';

/** The holder of an API key, and what the key permits. */
export interface Identity {
  readonly keyId: string;
  readonly tenantId: string;
  readonly scopes: ReadonlySet<KeyScope>;
  /** The only sessions that exist for the key, created or not; undefined for all sessions of the tenant. */
  readonly sessions: ReadonlySet<string> | undefined;
  /** When the key expires, in ms since 1970; undefined for never. */
  readonly expiresAt: number | undefined;
}

/**
 * Whether the key has expired, by this machine's clock. The expiry is a calendar time, so a correction of the clock
 * takes effect at once.
 */
export function hasExpired({ expiresAt }: Pick<Identity, 'expiresAt'>): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** @throws {WafleetError} FORBIDDEN, with `details` {scope, …}, when the key lacks the scope. */
export function requireScope(
  identity: Identity,
  scope: KeyScope,
  details: Readonly<Record<string, unknown>> = {},
): void {
  if (!identity.scopes.has(scope)) {
    throw new WafleetError('FORBIDDEN', `This API key lacks the scope ${scope}.`, { scope, ...details });
  }
}

export function mayUseSession(identity: Identity, sessionId: string): boolean {
  return identity.sessions === undefined || identity.sessions.has(sessionId);
}
