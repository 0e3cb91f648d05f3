import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '@wafleet/runtime';
import { z } from 'zod';

const secretsSchema = z.object({
  adminToken: z.string(),
  encryptionKey: z.string(),
  /** The tenant of this machine's user and the API key, once they exist. */
  tenant: z.object({ id: z.string(), apiKey: z.string() }).optional(),
});

export type Secrets = z.infer<typeof secretsSchema>;

/** New random secrets. */
export function generateSecrets(): Secrets {
  return {
    adminToken: randomBytes(32).toString('base64url'),
    encryptionKey: randomBytes(32).toString('hex'),
  };
}

/** The secrets with the administrator's token from the environment, if it is set. */
export function withAdminToken(secrets: Secrets, adminToken: string | undefined): Secrets {
  return adminToken === undefined ? secrets : { ...secrets, adminToken };
}

/** Secrets that are kept between starts, in a file that only its owner can read. */
export class SecretsFile {
  readonly path: string;
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
    this.path = join(dir, 'secrets.json');
  }

  /**
   * Returns the stored secrets. The first time, creates and stores new ones.
   * @throws {StartError} if the file cannot be read: without its key the sessions beside it are lost.
   */
  async load(): Promise<Secrets> {
    let text: string;
    try {
      text = await readFile(this.path, 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      const secrets = generateSecrets();
      await this.save(secrets);
      return secrets;
    }
    try {
      return secretsSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new StartError(
        `${this.path} is damaged. Restore it, or delete ${this.#dir} and link the phone again.`,
        { cause: error },
      );
    }
  }

  async save(secrets: Secrets): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const next = `${this.path}.next`;
    await writeFile(next, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
    // Renamed, so that a crash leaves either the old or the new file, never a partial one.
    await rename(next, this.path);
  }
}
