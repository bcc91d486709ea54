/** Writes `tests/schema.snapshot.sql` anew, after a migration was added. */
import { projectPath, testDatabase } from "../harness.ts";
import { describeSchema } from "./_describe_schema.ts";

{
  await using database = await testDatabase();
  await Deno.writeTextFile(
    projectPath("tests", "schema.snapshot.sql"),
    await describeSchema(database.sql),
  );
}
// The servers that the harness started end with the process.
Deno.exit();
