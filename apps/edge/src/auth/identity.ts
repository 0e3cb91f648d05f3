import { type KeyScope, WafleetError } from '@wafleet/contract';

/** Whom an API key stands for, and what it may do. */
export interface Identity {
  readonly keyId: string;
  readonly tenantId: string;
  readonly scopes: ReadonlySet<KeyScope>;
  /** The only sessions that exist for the key, made already or not; undefined for all of the tenant. */
  readonly sessions: ReadonlySet<string> | undefined;
  /** When the key ends, ms since 1970; undefined for never. */
  readonly expiresAt: number | undefined;
}

/**
 * Whether the key has ended, by this machine's clock: a moment of the calendar was promised, and a clock that was set
 * right meanwhile counts from then on.
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
