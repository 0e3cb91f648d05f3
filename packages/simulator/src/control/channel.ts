import type { ControlErrorCode } from './errors.js';

/** The simulator refuses a request, or cannot be reached (`FAILED`). */
export class SimulatorControlError extends Error {
  readonly code: ControlErrorCode;
  readonly details: unknown;

  constructor(code: ControlErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'SimulatorControlError';
    this.code = code;
    this.details = details;
  }
}

/** Sends requests to the control API of one simulator. */
export class ControlChannel {
  readonly #origin: string;

  /** @param url of any scheme (the simulator's `ws://…/ws/chat` does as well); only host and port count. */
  constructor(url: string) {
    this.#origin = `http://${new URL(url).host}`;
  }

  /** Sends one request to the control API. `path` is the part after `/control`. */
  async request<Answer>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    const init: RequestInit =
      body === undefined
        ? { method }
        : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(`${this.#origin}/control${path}`, init).catch((error: unknown) => {
      throw new SimulatorControlError('FAILED', `${this.#origin} cannot be reached: ${String(error)}`);
    });
    const text = await response.text();
    const answer = text === '' ? undefined : JSON.parse(text);
    if (response.ok) return answer as Answer;
    const { code = 'FAILED', message = response.statusText, details } = answer?.error ?? {};
    throw new SimulatorControlError(code, `${method} ${path}: ${message}`, details);
  }
}
