# The course in JupyterLab, with the versions of constraints.txt. Binder and .devcontainer/ build this file, too.
ARG PYTHON=3.11-slim
FROM python:$PYTHON
# PyTorch's own index has torch without the gigabytes for graphics cards.
ENV PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
RUN useradd --uid 1000 --create-home --home-dir /course learner
USER learner
WORKDIR /course
ENV PATH=/course/.venv/bin:$PATH
# Binder starts JupyterLab itself, and finds the settings of the course here.
ENV JUPYTER_CONFIG_PATH=/course/mflearn/lab
COPY --chown=learner . .
RUN python -m venv .venv && pip install --no-cache-dir -c constraints.txt -e ".[slides]"
EXPOSE 8888
CMD ["mflearn", "lab", "--no-browser", "--ip=0.0.0.0", "--port=8888"]
