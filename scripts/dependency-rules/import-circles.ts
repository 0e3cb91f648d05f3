import { relative } from 'node:path';
import { importsBelow } from './imports.js';

/**
 * The groups of files below a folder that import each other in a circle, by Tarjan's algorithm. A circle of types alone
 * counts: it runs, but its files can only be understood together.
 */
export function findImportCircles(folder: string): string[][] {
  const imports = importsBelow(folder);
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const path: string[] = [];
  const circles: string[][] = [];
  const low = (file: string) => lowest.get(file) ?? 0;
  const visit = (file: string) => {
    order.set(file, order.size);
    lowest.set(file, order.size - 1);
    path.push(file);
    for (const target of imports.get(file) ?? []) {
      const seen = order.get(target);
      if (seen === undefined) {
        visit(target);
        lowest.set(file, Math.min(low(file), low(target)));
      } else if (path.includes(target)) lowest.set(file, Math.min(low(file), seen));
    }
    if (low(file) !== order.get(file)) return;
    const circle = path.splice(path.indexOf(file));
    if (circle.length > 1) circles.push(circle.map((each) => relative(folder, each)).sort());
  };
  for (const file of imports.keys()) if (!order.has(file)) visit(file);
  return circles;
}
