"""One page for lecturers: what learners tend to believe, and the files of all exercises and quizzes."""

from . import content

MISCONCEPTIONS = (
    "A missing entry is a zero.",
    "W and H are unique, and factors have names.",
    "A larger η is always faster.",
    "One good η suits all data and all normalisations.",
    "η means the same in Adam.",
    "The loss must reach 0.",
    "A larger k, or a lower training loss, is better.",
    "Low rank always compresses.",
    "A start of zeros, or of equal entries, is harmless.",
    "Non-convex, therefore bad local minima.",
    "Energy is Σσ; in truth Σσ².",
    "The parts of a non-negative factorization are orthogonal and ordered.",
    "A penalty makes factors non-negative.",
    "Updating W first, and using the new W for H, is the same.",
    "Errors of sign, of the factor 2, of the mean and of the transpose.",
    "SSE, MSE, RMSE and the Frobenius norm are one thing.",
    "One may tune on the test set.",
    "A lower RMSE means better lists.",
    "The SVD of recommenders is the SVD.",
    "Biases are superfluous.",
    "Dot product and cosine rank alike.",
    "A new user needs retraining.",
    "A pattern in a map of embeddings proves meaning.",
    "Ratings show what people like, whatever they were shown.",
    "Finding candidates and ordering them are one task.",
)


def page() -> str:
    """The page, in Markdown: which misconception is probed where, then each file without its section Cases."""
    rows = [f"| {i} | {MISCONCEPTIONS[i - 1]} | {'; '.join(where)} |" for i, where in places().items()]
    table = ["# Misconceptions\n", "| | what some believe | probed in |", "|---|---|---|", *rows]
    parts = ["\n".join(table)]
    for path in sorted(content.FOLDER.glob("*/*.md")):
        parts.append(path.read_text(encoding="utf-8").partition("\n## Cases")[0].strip())
    return "\n\n".join(parts) + "\n"


def places() -> dict[int, list[str]]:
    """Of each misconception, from 1: the exercises (02.1) and the questions (quiz 02, 3) that probe it."""
    found = {number: [] for number in range(1, len(MISCONCEPTIONS) + 1)}
    for notebook, lesson in content.lessons().items():
        named = [(one.id, one) for one in lesson.exercises]
        named += [(f"quiz {notebook}, {i}", one) for i, one in enumerate(lesson.quiz, 1)]
        for name, one in named:
            for number in one.misconceptions:
                found[number].append(name)
    return found
