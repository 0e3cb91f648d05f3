import type { WhatsAppSession } from '@wafleet/session';
import type { Fence } from '@wafleet/store';

/** A session that a worker owns. */
export interface OwnedSession {
  readonly fence: Fence;
  readonly session: WhatsAppSession;
  /** The commands that are being executed; none of them rejects. */
  readonly commands: Set<Promise<void>>;
  /** Whether it is being handed over. It then takes no more commands. */
  isLeaving: boolean;
  /** Set while the session is being removed. The removal goes on however the session ends. */
  removal?: Promise<{ isUnlinked: boolean }>;
}
