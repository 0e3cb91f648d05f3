import { findProgram } from '@wafleet/runtime';

/**
 * The ffmpeg that edges convert files with: that of PATH, otherwise the one that npm installed for development.
 * @returns its path; undefined if there is none for this kind of machine.
 */
export async function provideFfmpeg(): Promise<string | undefined> {
  const installed = await findProgram('ffmpeg');
  if (installed !== undefined) return installed;
  try {
    return (await import('@ffmpeg-installer/ffmpeg')).path;
  } catch {
    // It throws when it is loaded on a machine that it has no program for.
    return undefined;
  }
}
