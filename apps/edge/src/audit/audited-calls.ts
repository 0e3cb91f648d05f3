import { type ErrorCode, type RestCall, WafleetError } from '@wafleet/contract';
import type { AuditedAct, AuditLog, AuditLogOf } from '@wafleet/store';
import type { FastifyRequest } from 'fastify';
import { identityOf } from '../auth/request-auth.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import type { ConnectionLimits } from '../limits/connection-limits.js';

/** How large the input of an act may be to be kept, as JSON, in bytes. */
const MAX_INPUT_BYTES = 2_000;
/** The act may have been done. */
const UNCERTAIN: ReadonlySet<ErrorCode> = new Set(['OUTCOME_UNKNOWN', 'INTERNAL', 'UNAVAILABLE']);

interface AuditedCallsResources {
  readonly log: AuditLog;
  readonly connectionLimits: Pick<ConnectionLimits, 'addressOf'>;
}

const tenants = new WeakMap<FastifyRequest, string>();

/** Notes the tenant that an act of the administrator is about, where neither its path nor its body names it. */
export function noteAuditedTenant(request: FastifyRequest, tenantId: string): void {
  tenants.set(request, tenantId);
}

/** Enters the calls that are to be audited into the audit log. */
export class AuditedCalls {
  readonly #resources: AuditedCallsResources;

  constructor(resources: AuditedCallsResources) {
    this.#resources = resources;
  }

  /**
   * Carries an act out. It does not begin before it is entered, and is not answered before its outcome is.
   * @throws {WafleetError} UNAVAILABLE if it cannot be entered: nothing was done; the errors of `act`.
   */
  async run(
    name: string,
    call: RestCall,
    request: FastifyRequest,
    act: () => Promise<unknown>,
  ): Promise<unknown> {
    const { log } = this.#resources;
    const of: AuditLogOf =
      call.access === 'admin' ? 'administrator' : { tenantId: identityOf(request).tenantId };
    const begun = this.#actOf(name, call, request);
    const id = await log.begin(of, begun).catch((error: unknown) => {
      throw toWafleetError(error, request.log);
    });
    const end = (outcome: 'done' | 'refused' | 'unknown', answer: unknown, error?: ErrorCode) => {
      const target = begun.target ?? idIn(answer, 'id');
      const tenantId =
        begun.tenantId ??
        tenants.get(request) ??
        idIn(answer, 'tenantId') ??
        (isOfTenant(call) ? target : undefined);
      const known = {
        ...(tenantId === undefined ? {} : { tenantId }),
        ...(target === undefined ? {} : { target }),
      };
      return log
        .end(of, id, { ...begun, ...known, outcome, ...(error === undefined ? {} : { error }) })
        .catch((failure: unknown) => {
          request.log.warn({ err: failure }, 'the outcome of an act could not be entered into the audit log');
        });
    };
    try {
      const answer = await act();
      await end('done', answer);
      return answer;
    } catch (error) {
      // Any other error, such as of Redis, may have come when something was done already.
      const code = error instanceof WafleetError ? error.code : undefined;
      await end(code === undefined || UNCERTAIN.has(code) ? 'unknown' : 'refused', undefined, code);
      throw error;
    }
  }

  #actOf(action: string, call: RestCall, request: FastifyRequest): AuditedAct {
    const { params, query, body, raw, id: requestId } = request;
    const isOfAdmin = call.access === 'admin';
    const target = idIn(params, 'id');
    const tenantId = isOfAdmin
      ? (idIn(body, 'tenantId') ?? (isOfTenant(call) ? target : undefined))
      : identityOf(request).tenantId;
    // What a tenant sends may be secret.
    const input = isOfAdmin ? inputOf(query, body) : undefined;
    return {
      actor: isOfAdmin ? 'admin' : identityOf(request).keyId,
      action,
      ...(target === undefined ? {} : { target }),
      ...(tenantId === undefined ? {} : { tenantId }),
      requestId,
      address: this.#resources.connectionLimits.addressOf(raw),
      ...(input === undefined ? {} : { input }),
    };
  }
}

/** Whether the path's `:id` is that of a tenant. */
function isOfTenant({ route }: RestCall): boolean {
  return / \/api\/tenants(\/|$)/.test(route);
}

/** Fields that were validated; undefined if there are none, or too many to be kept. */
function inputOf(query: unknown, body: unknown): Record<string, unknown> | undefined {
  const input = { ...(isObject(query) ? query : {}), ...(isObject(body) ? body : {}) };
  if (Object.keys(input).length === 0) return undefined;
  return Buffer.byteLength(JSON.stringify(input)) > MAX_INPUT_BYTES ? undefined : input;
}

function idIn(value: unknown, name: 'id' | 'tenantId'): string | undefined {
  const id = isObject(value) ? value[name] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
