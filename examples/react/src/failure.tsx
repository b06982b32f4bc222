/** What went wrong, in the words of whoever refused. */
export function Failure({ error }: { error: Error }) {
  return (
    <p role="alert">
      {error.message} <a href="/">Start again</a>
    </p>
  );
}
