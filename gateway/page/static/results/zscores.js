/** How far each feature of a row is from the mean of the rows, for the eye alone: no file has it. */

/** Return z-scores, row after row; a feature that is the same in all rows has zeros. */
export function zScores(rows) {
  const width = rows[0]?.length ?? 0;
  const scores = new Float32Array(rows.length * width);
  for (let feature = 0; feature < width; feature += 1) {
    const { mean, sd } = momentsOf(rows, feature);
    for (let at = 0; at < rows.length; at += 1) {
      scores[at * width + feature] = sd ? (rows[at][feature] - mean) / sd : 0;
    }
  }
  return scores;
}

/** The mean, and the standard deviation over n. */
function momentsOf(rows, feature) {
  let sum = 0;
  for (const row of rows) sum += row[feature];
  const mean = sum / rows.length;
  let squares = 0;
  for (const row of rows) squares += (row[feature] - mean) ** 2;
  return { mean, sd: Math.sqrt(squares / rows.length) };
}
