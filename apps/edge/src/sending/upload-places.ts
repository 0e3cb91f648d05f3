import type { TenantLeases } from '@wafleet/store';
import type { FileSlots } from '../limits/file-slots.js';

/** Bounds how many files are received, converted and uploaded at a time: by this edge, and by each tenant on all edges. */
export class UploadPlaces {
  readonly #slots: FileSlots;
  readonly #leases: Pick<TenantLeases, 'take'>;

  constructor(options: { slots: FileSlots; leases: Pick<TenantLeases, 'take'> }) {
    this.#slots = options.slots;
    this.#leases = options.leases;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#slots.taken;
  }

  /**
   * Takes a place.
   * @returns the function that gives it back; call it once.
   * @throws {WafleetError} TOO_MANY_UPLOADS.
   */
  async take(tenantId: string): Promise<() => void> {
    const leave = this.#slots.take();
    try {
      const giveBack = await this.#leases.take(tenantId, 'mediaUploads');
      return () => {
        leave();
        giveBack();
      };
    } catch (error) {
      leave();
      throw error;
    }
  }
}
