import type { WhatsAppSession } from '@wafleet/session';
import type { Fence } from '@wafleet/store';

/** A session that a worker owns. */
export interface OwnedSession {
  readonly fence: Fence;
  readonly session: WhatsAppSession;
  /** The commands that are being carried out; none of them rejects. */
  readonly commands: Set<Promise<void>>;
  /** It is being handed over and takes no more commands. */
  isLeaving: boolean;
  /** It is being removed; whatever its end is, that goes on. */
  removal?: Promise<{ isUnlinked: boolean }>;
}
