import type { Lifecycle, Logger } from '@wafleet/runtime';
import type { z } from 'zod';
import type { environment } from './env.js';
import type { LogView } from './processes/log-view.js';

/** The context that all modes of a start share. */
export interface StandaloneContext {
  readonly environment: z.output<typeof environment>;
  readonly lifecycle: Lifecycle;
  readonly logger: Logger;
  readonly view: LogView;
  /** Prints a line for the user. */
  readonly say: (text: string) => void;
  /** Aborted as soon as everything is being stopped. */
  readonly stopping: AbortSignal;
  /** Called when a process ends unexpectedly: stops everything. */
  readonly onDeath: (name: string, how: string) => void;
}
