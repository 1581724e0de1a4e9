/** How probable the model found a token. */
export interface TokenScore {
  readonly logprobNats: number;
  readonly rank: number;
}
