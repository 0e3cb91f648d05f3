import type { Lifecycle, Logger } from '@wafleet/runtime';
import type { z } from 'zod';
import type { environment } from './env.js';
import type { LogView } from './processes/log-view.js';

/** What the modes of a start share. */
export interface StandaloneContext {
  readonly environment: z.output<typeof environment>;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly view: LogView;
  /** Tells the user something, in a line of its own. */
  readonly say: (text: string) => void;
  /** Aborted as soon as everything is being stopped. */
  readonly stopping: AbortSignal;
  /** Called when a process ends that nobody asked to: stops everything. */
  readonly onDeath: (name: string, how: string) => void;
}
