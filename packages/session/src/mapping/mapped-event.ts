import type { EventName, LinkProgress, SessionStatus } from '@wafleet/contract';
import type { JsonObject } from './normalise.js';

/** An event of the contract with its payload, without the envelope that publishing adds. */
export interface MappedEvent {
  readonly event: EventName;
  readonly payload: JsonObject;
}

/** The state of a session. */
export interface SessionCondition {
  readonly status: SessionStatus;
  readonly reason: string | undefined;
  /** When the status became what it is, ISO 8601. */
  readonly since?: string;
  /** How far linking a phone has come, while that goes on. */
  readonly link?: LinkProgress;
}

/** What a mapping needs to know of the session that the events belong to. */
export interface MappingContext {
  /** The account's own ids, device part included, as Baileys keeps them; absent before it is linked. */
  readonly me: { readonly id: string; readonly lid?: string | undefined } | undefined;
  readonly condition: SessionCondition;
}
