import type { WorkerState } from '@wafleet/store';

/** Whether the worker takes sessions and is below its capacity. */
export function hasRoom(worker: WorkerState): boolean {
  return !worker.draining && worker.sessions < worker.capacity;
}
