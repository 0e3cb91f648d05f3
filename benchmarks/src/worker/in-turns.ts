import { roundsOf, type Settings } from '../harness/scenario.js';

/** Measures in turns, A B C A B C. The first round is a warm-up and does not count. A quick run has no warm-up. */
export async function inTurns<Name extends string, Subject, T>(
  subjects: Readonly<Record<Name, Subject>>,
  settings: Pick<Settings, 'quick'>,
  measure: (subject: Subject) => Promise<T>,
): Promise<Record<string, T[]>> {
  const found: Record<string, T[]> = {};
  for (let round = settings.quick ? 1 : 0; round <= roundsOf(settings); round += 1) {
    for (const [name, subject] of Object.entries<Subject>(subjects)) {
      const figure = await measure(subject);
      if (round > 0) found[name] = [...(found[name] ?? []), figure];
    }
  }
  return found;
}
