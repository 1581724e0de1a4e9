import { Button } from "@/ui/Button";

interface TableToggleProps {
  readonly isShown: boolean;
  readonly onChange: (isShown: boolean) => void;
}

/** Shows the table of the grid's cells, or hides it. */
export function TableToggle({ isShown, onChange }: TableToggleProps) {
  return (
    <Button
      icon="table"
      aria-pressed={isShown}
      onClick={() => onChange(!isShown)}
      className="aria-pressed:bg-accent-soft aria-pressed:text-accent"
    >
      Table
    </Button>
  );
}
