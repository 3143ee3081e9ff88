/** Whether a point is inside a line that was drawn around something. */

/** Return whether a point is inside a closed path, by how often a ray from it crosses the path. */
export function isInside({ x, y }, path) {
  let isIn = false;
  path.forEach((to, index) => {
    const from = path.at(index - 1);
    const crosses = to.y > y !== from.y > y;
    if (crosses && x < from.x + ((y - from.y) / (to.y - from.y)) * (to.x - from.x)) isIn = !isIn;
  });
  return isIn;
}
